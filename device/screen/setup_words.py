"""The words of the page on which the cameras are set up, in each language of the kiosk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.aim import Advice, Stage


@dataclass(frozen=True, slots=True)
class SetupWords:
    """One language."""

    title: str
    stages: Mapping[Stage, tuple[str, str]]
    """What the page says at each stage, and what to do."""
    advice: Mapping[Advice, tuple[str, str]]
    """The same while the cameras are being aimed; about one camera or the mat."""
    corners: Mapping[str, str]
    cameras: Mapping[str, str]
    scale: str
    focus: str
    mat: str
    found: str
    """How many of the mat's four markers."""
    fine: str
    coarse: str
    sharp: str
    soft: str
    unknown: str
    keep: Mapping[str, str]
    """The button that confirms, for each role of a person."""
    exchange: str
    close: str
    straight: str
    """Under the picture that is set straight."""
    confirmed: str
    lost: str


EN: Final = SetupWords(
    title="Set up the cameras",
    stages={
        Stage.CLOSED: ("The cameras are off", "One moment."),
        Stage.AIMING: ("Looking", "One moment."),
        Stage.LEARNING: ("Hold still", "Everything is good. The kiosk learns how it looks; do not touch the cameras."),
        Stage.READY: ("Everything is good", "Press the button of the kiosk, or tap below, and it is kept."),
        Stage.DONE: ("Kept", "The kiosk compares itself with this from now on."),
        Stage.EXCHANGING: ("One moment", "The cameras change their roles."),
    },
    advice={
        Advice.NO_CAMERA: ("The {camera} gives no picture", "Look at its cable and plug it in again."),
        Advice.LOOKING: ("One moment", "The {camera} is looking."),
        Advice.SWAPPED: ("The cameras are exchanged", "The front one sees the desk. Tap “Exchange the cameras”."),
        Advice.COVERED: ("The {camera} is covered", "Take away what lies over its lens."),
        Advice.FROZEN: ("The picture of the {camera} stands still", "Unplug this camera, wait, plug it in again."),
        Advice.DARK: ("It is too dark", "Switch on more light."),
        Advice.OVEREXPOSED: ("It is too bright", "Turn the lamp away, or close the blind."),
        Advice.GLARE: ("A lamp shines on the desk", "Move the lamp, or turn the desk a little."),
        Advice.NO_MAT: ("No mat is seen", "Lay the mat on the desk under the camera, its print up."),
        Advice.CORNER_HIDDEN: ("A corner of the mat is hidden", "Clear the {corner} of the mat."),
        Advice.HIGHER: ("The mat does not fit", "Raise the camera until the whole mat is in the picture."),
        Advice.CLOSER: ("The desk is too far away", "Lower the camera, or move it closer to the mat."),
        Advice.LEFT: ("Turn the camera a little left", "Until the mat is in the middle."),
        Advice.RIGHT: ("Turn the camera a little right", "Until the mat is in the middle."),
        Advice.UP: ("Turn the camera a little up", "Up in the picture, until the mat is in the middle."),
        Advice.DOWN: ("Turn the camera a little down", "Down in the picture, until the mat is in the middle."),
        Advice.UPSIDE_DOWN: ("The desk is upside down", "Turn the mat or the camera half round."),
        Advice.CLOCKWISE: ("Turn the camera clockwise", "As you see it on this screen, until the mat is straight."),
        Advice.ANTICLOCKWISE: ("Turn the camera anticlockwise", "As you see it here, until the mat is straight."),
        Advice.STRAIGHT: ("Look more straight down", "Tilt the camera until it looks straight down on the mat."),
        Advice.FOCUS: ("Turn the focus ring", "Slowly, until the bar is longest."),
    },
    corners={
        "upper-left": "upper left corner", "upper-right": "upper right corner",
        "lower-right": "lower right corner", "lower-left": "lower left corner",
    },
    cameras={"overhead": "desk camera", "front": "front camera"},
    scale="Scale", focus="Focus", mat="Mat",
    found="{n} of 4 corners",
    fine="{scale} pixels per mm: good for handwriting",
    coarse="{scale} pixels per mm: too coarse for handwriting, which needs 3",
    sharp="sharp", soft="not sharp yet", unknown="not seen yet",
    keep={"it": "Keep this · I am IT", "aide": "Keep this · I am the aide"},
    exchange="Exchange the cameras",
    close="Back",
    straight="The sheet, straight",
    confirmed="Set up on {date} by {by}",
    lost="The kiosk does not answer.",
)  # fmt: skip

ES: Final = SetupWords(
    title="Ajustar las cámaras",
    stages={
        Stage.CLOSED: ("Las cámaras están apagadas", "Un momento."),
        Stage.AIMING: ("Mirando", "Un momento."),
        Stage.LEARNING: ("No toque nada", "Todo está bien. El quiosco aprende cómo se ve; no toque las cámaras."),
        Stage.READY: ("Todo está bien", "Pulse el botón del quiosco, o toque abajo, y se guarda."),
        Stage.DONE: ("Guardado", "Desde ahora el quiosco se compara con esto."),
        Stage.EXCHANGING: ("Un momento", "Las cámaras cambian de papel."),
    },
    advice={
        Advice.NO_CAMERA: ("La {camera} no da imagen", "Mire su cable y vuelva a enchufarla."),
        Advice.LOOKING: ("Un momento", "La {camera} está mirando."),
        Advice.SWAPPED: ("Las cámaras están cambiadas", "La cámara frontal mira la mesa. Toque «Cambiar las cámaras»."),
        Advice.COVERED: ("La {camera} está tapada", "Quite lo que cubre la lente."),
        Advice.FROZEN: ("La imagen de la {camera} no se mueve", "Desenchúfela, espere y vuelva a enchufarla."),
        Advice.DARK: ("Está demasiado oscuro", "Encienda más luz."),
        Advice.OVEREXPOSED: ("Hay demasiada luz", "Aparte la lámpara o baje la persiana."),
        Advice.GLARE: ("Una lámpara brilla sobre la mesa", "Mueva la lámpara o gire un poco la mesa."),
        Advice.NO_MAT: ("No se ve el tapete", "Ponga el tapete en la mesa bajo la cámara, con lo impreso arriba."),
        Advice.CORNER_HIDDEN: ("Una esquina del tapete está tapada", "Despeje la {corner} del tapete."),
        Advice.HIGHER: ("El tapete no cabe", "Suba la cámara hasta que se vea el tapete entero."),
        Advice.CLOSER: ("La mesa está demasiado lejos", "Baje la cámara o acérquela al tapete."),
        Advice.LEFT: ("Gire la cámara un poco a la izquierda", "Hasta que el tapete quede en el centro."),
        Advice.RIGHT: ("Gire la cámara un poco a la derecha", "Hasta que el tapete quede en el centro."),
        Advice.UP: ("Gire la cámara un poco hacia arriba", "Arriba en la imagen, hasta que el tapete quede centrado."),
        Advice.DOWN: ("Gire la cámara un poco hacia abajo", "Abajo en la imagen, hasta que el tapete quede centrado."),
        Advice.UPSIDE_DOWN: ("La mesa está al revés", "Dé media vuelta al tapete o a la cámara."),
        Advice.CLOCKWISE: ("Gire la cámara a la derecha, como un reloj", "Hasta que el tapete quede recto."),
        Advice.ANTICLOCKWISE: ("Gire la cámara contra el reloj", "Hasta que el tapete quede recto."),
        Advice.STRAIGHT: ("Mire más recto hacia abajo", "Incline la cámara hasta que mire recto al tapete."),
        Advice.FOCUS: ("Gire el anillo de enfoque", "Despacio, hasta que la barra sea lo más larga."),
    },
    corners={
        "upper-left": "esquina superior izquierda", "upper-right": "esquina superior derecha",
        "lower-right": "esquina inferior derecha", "lower-left": "esquina inferior izquierda",
    },
    cameras={"overhead": "cámara de la mesa", "front": "cámara frontal"},
    scale="Escala", focus="Enfoque", mat="Tapete",
    found="{n} de 4 esquinas",
    fine="{scale} píxeles por mm: bien para la escritura",
    coarse="{scale} píxeles por mm: poco para la escritura, que necesita 3",
    sharp="nítido", soft="aún no nítido", unknown="aún no se ve",
    keep={"it": "Guardar · soy de informática", "aide": "Guardar · soy el auxiliar"},
    exchange="Cambiar las cámaras",
    close="Volver",
    straight="La hoja, recta",
    confirmed="Ajustado el {date} por {by}",
    lost="El quiosco no responde.",
)  # fmt: skip

TABLES: Final = {"en": EN, "es": ES}
