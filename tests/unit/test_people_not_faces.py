"""What the filter for boxes that are no faces promises."""

from __future__ import annotations

import numpy as np

from kith.people import Boxes, likely_none
from people_world import CALIBRATION, World


def boxes(world: World, faces: list[int], score: float = 0.7, quality: float = 0.2) -> Boxes:
    vectors = np.stack([world.vectors[f] for f in faces])
    return Boxes(vectors, np.full(len(faces), score), np.full(len(faces), quality))


class Answers:
    """A dog seen again and again, people, and a statue nobody answered about."""

    def __init__(self) -> None:
        self.world = World()
        self.dog = self.world.person(12)
        self.people = [face for _ in range(8) for face in self.world.person(3)]
        self.new_dog = self.world.person(4, like=self.world.vectors[self.dog[0]])
        self.new_people = [face for _ in range(3) for face in self.world.person(2)]

    def hidden(self, dogs: int = 12, people: int = 24, score: float = 0.7, quality: float = 0.2) -> list[bool]:
        unanswered = boxes(self.world, [*self.new_dog, *self.new_people], score, quality)
        not_faces, faces = boxes(self.world, self.dog[:dogs]), boxes(self.world, self.people[:people])
        return list(likely_none(not_faces, faces, unanswered, CALIBRATION).tolist())


def test_what_looks_like_the_answers_is_left_out_and_people_are_not() -> None:
    assert Answers().hidden() == [True] * 4 + [False] * 6


def test_a_few_answers_hide_nothing() -> None:
    assert not any(Answers().hidden(dogs=4))
    assert not any(Answers().hidden(people=19))


def test_boxes_of_good_quality_or_with_a_surer_detection_are_always_shown() -> None:
    assert not any(Answers().hidden(quality=0.5))
    assert not any(Answers().hidden(score=0.8))


def test_a_confirmed_face_like_what_was_refused_makes_the_filter_hold_back() -> None:
    answers = Answers()
    answers.people[0] = answers.world.person(1, like=answers.world.vectors[answers.dog[1]])[0]
    assert not any(answers.hidden())


def test_confirmed_faces_themselves_would_be_shown() -> None:
    answers = Answers()
    faces = boxes(answers.world, answers.people)
    assert not likely_none(boxes(answers.world, answers.dog), faces, faces, CALIBRATION).any()
