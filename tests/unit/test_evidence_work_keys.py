from stromal.evidence.records.work_keys import LONGEST, normalised, only_latin, without_article, work_keys


def test_all_authors_come_with_the_first_title_and_then_with_that_without_article() -> None:
    assert work_keys(["The Skin Score"], ["Ann Lee", "Jo Ray"]) == (
        "AT annlee theskinscore",
        "AT joray theskinscore",
        "AT annlee skinscore",
        "AT joray skinscore",
    )


def test_uniform_titles_come_first_and_need_no_author() -> None:
    assert work_keys(["Hamlet"], [], ["Hamlet", "..."]) == ("UT hamlet",)
    assert work_keys(["Hamlet"], ["Shakespeare"], ["Hamlet"]) == ("UT hamlet", "AT shakespeare hamlet")


def test_a_title_without_letters_gives_no_key_and_equal_titles_give_one() -> None:
    assert work_keys(["—?!", "Skin", "SKIN."], ["Ann Lee"]) == ("AT annlee skin",)


def test_accents_and_punctuation_vanish_and_letters_without_decomposition_stay() -> None:
    assert normalised("Élodie d'Œuvre-Łódź, Ørsted & Straße ½ x²") == "elodiedœuvrełodzørstedstraße1\u20442x2"
    assert normalised("e\u0301tude") == normalised("étude") == "etude"


def test_a_key_has_at_most_255_characters_of_each_part() -> None:
    (key,) = work_keys(["é" * 300], ["b" * 300])
    assert key == f"AT {'b' * LONGEST} {'e' * LONGEST}"


def test_other_scripts_are_kept_and_known_to_differ_from_those_of_a_catalogue() -> None:
    assert normalised("Системный склероз") == "системныисклероз"  # й is и with a breve
    assert normalised("硬皮病 한국") == "硬皮病한국"
    assert only_latin("Łódź, 2nd ª ½")
    assert not only_latin("Σκλήρυνση")
    assert not only_latin("TGF-β1")


def test_an_article_is_taken_off_only_as_a_word() -> None:
    assert without_article("  The Skin") == "skin"
    assert without_article("An Ass") == "ass"
    assert without_article("Theory of Skin") == "theory of skin"
    assert without_article("The") == "the"
