"""The addresses of the console."""

from typing import Final

from fastapi import APIRouter

from fleet.console.render import render_problem, render_sign_in

__all__ = ["render_problem", "render_sign_in", "router"]

router: Final = APIRouter(include_in_schema=False)
