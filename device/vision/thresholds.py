"""Every number the picture checks decide by, with its unit and where it comes from.

Grey levels are 0 to 255; pixels are those of a picture 320 wide; shares are of the picture, 0 to 1. The numbers come
from the sources named beside them; scenes and clips only showed how much room there is on either side.
"""

from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
"""Counts up with every change of a number, so that evidence from two kiosks can be compared."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One version of the table."""

    # fmt: off
    # Exposure
    black: int = 5             # grey level up to which nothing is told apart: under 0.2 % of white (sRGB, IEC 61966-2-1)
    white: int = 250           # grey level from which a pixel counts as clipped: 255 less two deviations of its noise
    dark: int = 50             # grey level that 80 % of a dark picture stay under: 2.5 stops below mid-grey, 118 in sRGB
    overexposed: float = 1/3   # share at white: over what a window in view takes; auto exposure aims at under 0.05
    # Cover
    structure: float = 0.02    # of a tile's brightness: an edge of 5 % contrast through it; Weber's fraction is 1 to 2 %
    structure_floor: float = 0.8   # grey levels: over twice what rounding to 8 bits alone makes (0.29)
    structure_noise: float = 1.5   # of the noise's energy: two deviations of what chance makes in a tile of 75 pixels
    covered: float = 0.1       # share of tiles that still show something: "nearly all" are more than nine in ten
    # Glare
    glare: float = 0.03        # share in one clipped patch: 8 x 8 cm of a desk of 60 x 34 cm, two lines of a child's hand
    glare_gap: int = 5         # pixels: print and ruled lines lie closer, so a white page breaks up and is no glare
    # Focus
    sharpness: float = 0.2     # fine over coarse contrast: 1 in nature (Field 1987), 0.5 for bare edges, 0.1 if soft for ever
    blurred: float = 0.5       # of the own reference: half the fine contrast, the point where resolution is measured (MTF50)
    blurred_limit: float = 0.3 # fine over coarse contrast: soft also by itself, or a page taken away would count as blur
    detail: float = 1.5        # grey levels of coarse contrast without which focus cannot be judged
    detail_noise: float = 3.0  # times the noise: five deviations of the noise's energy over the whole picture
    # Life
    frozen: float = 0.1        # grey levels of mean change: half of what 0.2 levels of noise make, the least a sensor has
    frozen_s: float = 5.0      # seconds without more change (readiness: seen within 5 s)
    frozen_visible: float = 0.1    # share neither black nor white that is needed: clipped pixels carry no noise
    # Pose
    shift: float = 0.1         # of the width: the margin of the mat; a sheet that drifts or is pulled straight does less
    turn_deg: float = 3.0      # degrees: moves the sides by 3 % of the width, a common limit for a moved scene
    rest: float = 0.15         # of the landmarks that agree: with so many at rest something in the picture moved, not it
    agreeing: int = 20         # landmarks that must agree on a pose: by chance fewer than ten of 150 do
    # Time
    votes: int = 3             # looks, of which most decide
    pose_votes: int = 5        # looks, of which the middle pose decides (readiness: moved is seen within 10 s)
    learn_looks: int = 6       # healthy looks that make a reference ...
    learn_every_s: float = 1.0 # ... at least so many seconds apart: five seconds in all
    gap_s: float = 10.0        # seconds between two looks after which the earlier ones say nothing any more
    forget_s: float = 3_600.0  # seconds without a picture after which the reference is not trusted any more
    # fmt: on


TABLE: Final = Thresholds()
