"""Every number the picture checks decide by, with its unit and where it comes from.

Grey levels are 0 to 255; pixels are those of a picture 320 wide; shares are of the picture, 0 to 1. The numbers come
from the sources named beside them; scenes and clips showed how much room there is on either side, and in two places
that a rule was wrong (docs/figures.md): what a cover leaves in the dark, and how much of a desk has to be dark.
"""

from dataclasses import dataclass
from typing import Final

VERSION: Final = 4
"""Counts up with every change of a number, so that evidence from two kiosks can be compared."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One version of the table."""

    # fmt: off
    # Exposure
    black: int = 5            # grey level up to which nothing is told apart: under 0.2 % of white's light (sRGB)
    white: int = 250          # grey level from which a pixel counts as clipped: 255 less two deviations of its noise
    dark: int = 50            # grey level that 80 % of a dark picture, 90 % of a desk, stay under: 2.5 stops under 118
    overexposed: float = 1/3  # share at white: more than a window in view; auto exposure aims at under 0.05
    washed_out: float = 118.0 # grey level, sRGB's mid-grey, that nineteen twentieths are over ...
    washed_out_by: float = 70.0     # ... and so much brighter than when all was well: two stops, from mid-grey down ...
    washed_out_white: float = 0.1   # ... and twice what auto exposure aims at is clipped: light falls on the lens
    # Cover
    structure: float = 0.02   # of a tile's brightness, a 5 % edge through it; the eye needs 1 to 2 % (Weber)
    structure_floor: float = 0.8    # grey levels; rounding to 8 bits alone makes 0.3
    structure_noise: float = 1.5    # of the noise's energy: two deviations of what chance makes in a tile of 75 pixels
    covered: float = 0.1      # share of tiles that still show something: "nearly all" are more than nine in ten
    covered_in_the_dark: float = 1/3    # the same where it is dark too: a gap at a side touches two of six rows
    covered_tells: float = 0.25     # share of tiles that must not be clipped for the rest to say anything
    likeness: float = 0.33    # correlation of reliefs, under which nothing of the scene is left: chance makes 0.1 of a
                              # hundred spots, 0.3 as the best of all displacements; a dark or soft scene keeps 0.36
    layout: float = 0.75      # correlation of the tiles with the reference's: the same room, with its detail gone ...
    layout_contrast: float = 0.5    # ... and so much of the contrast it would have in this light: cloth has less ...
    layout_floor: float = 0.25      # ... and so many grey levels: five times a tile's noise
    # Glare
    glare: float = 0.03       # share in one clipped patch: 8 x 8 cm of a 60 x 34 cm desk, two lines of a child's hand
    glare_most: float = 0.25  # a larger patch is no lamp's image on the desk but a picture that is overexposed
    glare_gap_px: int = 5     # narrower bits of clipped light are left out: what shines between print is its rim
    glare_fades: float = 0.55 # of the way to white that is lost from near to far: more than where paper ends ...
    glare_fades_on_paper: float = 0.2   # ... but little is left to lose ...
    glare_paper: float = 215.0      # ... over this grey level, that of lit paper
    glare_slow: float = 240.0 # grey level most around it is over: light that falls by a tenth in 3 % of the width, as
                              # a lamp's does on paper; in its image it falls by half
    glare_near_px: tuple[int, int] = (1, 2)   # just outside: past the one pixel that an edge is blurred over
    glare_far_px: tuple[int, int] = (6, 9)    # the surroundings
    # Focus
    sharpness: float = 0.2    # fine over coarse contrast: 1 in nature (Field 1987), 0.5 for bare edges, 0.1 when soft
    blurred: float = 0.5      # of the own reference: half the fine contrast, where resolution is measured too (MTF50)
    blurred_limit: float = 0.3      # soft by itself as well, or a printed page taken away would count as blur
    same_scene: float = 0.7   # correlation of reliefs: half of what is seen is the same (its square) ...
    hazy: float = 0.5         # ... so that its fine contrast itself may be compared, and half of it is blurred (MTF50)
    detail: float = 1.5       # grey levels of coarse contrast without which focus cannot be judged ...
    detail_noise: float = 1.5       # ... and times the noise, whose own energy is known to a hundredth
    # Life
    frozen: float = 0.05      # grey levels of mean change: half the house's tenth, as a quiet 1080p sensor makes 0.07
    frozen_s: float = 3.5     # seconds without more change: 5 (readiness: seen within) less 1.25 to the first look at
                              # it and 0.25 that a look may be late; a coder's picture that is not renewed lasts 2
    frozen_soon_s: float = 2.0      # from then on looks come sooner, so that no second is lost at the end
    frozen_visible: float = 0.1     # share neither black nor white that is needed: clipped pixels carry no noise
    # Pose
    shift: float = 0.1        # of the width: the margin round a mat; a sheet that is pulled straight moves by less
    turn_deg: float = 3.0     # degrees: the sides move by 3 % of the width, a common limit for a moved scene
    lately: float = 0.25      # of the limit of moved: so near to the reference a view may stand in for it
    rest: float = 0.15        # of the landmarks that agree: so many at rest, and something in the picture moved
    agreeing: int = 20        # landmarks that must agree on a pose: by chance fewer than ten of 150 do
    # Time
    votes: int = 3            # looks, of which most decide
    pose_votes: int = 5       # looks, of which the middle pose decides (readiness: moved is seen within 10 s)
    learn_looks: int = 6      # healthy looks that make a reference ...
    learn_every_s: float = 1.0      # ... at least so far apart: five seconds in all
    gap_s: float = 10.0       # between two looks; longer, and the earlier ones say nothing any more
    forget_s: float = 3_600.0       # without a picture; longer, and the reference is not trusted any more
    # fmt: on


TABLE: Final = Thresholds()
