"""Dead letters: read, chosen, and sent back where they failed, each once."""

from mesh.letters.box import LetterBox
from mesh.letters.choice import Choice
from mesh.letters.letter import Letter, letter_of
from mesh.letters.replay import Replay, Replayed

__all__ = ["Choice", "Letter", "LetterBox", "Replay", "Replayed", "letter_of"]
