"""The report as a comment on a pull request."""

from .around import Around
from .document import Comment, render, render_comment

__all__ = ["Around", "Comment", "render", "render_comment"]
