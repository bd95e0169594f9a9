import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.cli.artist_files import DAMAGED_ID, EXACT, LARGEST, NAMED, Entry, from_words, parse, read_files, unique
from freshwax.errors import UsageError

A = "0OdUWJ0sBjDrqHygGUXeCF"
B = "4tZwfgrHOc3mvqYlEYSvVi"


def read(data):
    raw = data if isinstance(data, bytes) else data.encode()
    return [entry.id or entry.name for entry in parse(io.BytesIO(raw), "list.txt")]


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{B}\n",
        f"{A}\r\n{B}\r\n",
        f"{A}\r{B}",
        f"\ufeff{A}\n{B}",
        f"# mine\n\n  {A}\t\n\t{B}   \n#end",
        f"{A}, {B} # both",
        f"{A} # Band of Horses\nspotify:artist:{B}\t#of 1993, Paris",
        f"spotify:artist:{A}\nhttps://open.spotify.com/intl-de/artist/{B}?si=abc",
        f"id\n{A}\n{B}\n",
        f"# heading below\nID;Name\n{A};Band of Horses\n{B};Daft Punk\n",
        f'name,uri\n"Horses, Band of",spotify:artist:{A}\n"Daft\nPunk",spotify:artist:{B}\n',
        f"URL\thow\nhttps://open.spotify.com/artist/{A}\tgood\nopen.spotify.com/artist/{B}\tbest\n",
    ],
)
def test_lists_as_people_have_them(text):
    assert read(text) == [A, B]


@pytest.mark.parametrize("name", ["Portugal. The Man #1", "Blink #182", "C# Minor"])
def test_a_name_may_hold_the_sign_that_begins_a_comment(name):
    assert read(name) == [name]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_names_in_the_encodings_that_editors_write(encoding):
    assert read("Björk\nSigur  Rós\nTyler, The Creator\n".encode(encoding)) == [
        "Björk",
        "Sigur Rós",
        "Tyler, The Creator",
    ]


def test_names_in_a_table_may_hold_commas():
    assert read('artist,plays\n"Tyler, The Creator",3\nBjörk,4\n') == ["Tyler, The Creator", "Björk"]


def test_an_exportify_playlist():
    text = (
        '"Track URI","Track Name","Album URI","Album Name","Album Artist URI(s)","Artist URI(s)","Artist Name(s)"\n'
        f'"spotify:track:{A}","Song","spotify:album:{A}","LP","spotify:artist:{A}",'
        f'"spotify:artist:{A},spotify:artist:{B}","Ada,Bo"\n'
        f'"spotify:local:x","Mine","","","","","Cy"\n'
    )
    entries = list(parse(io.BytesIO(text.encode()), "list.csv"))
    assert entries == [Entry(A, "Ada", 2), Entry(B, "Bo", 2), Entry(None, "Cy", 3)]


@pytest.mark.parametrize("mark", [",", ";", "\t", ", "])
@pytest.mark.parametrize("wanted", [A, f"spotify:artist:{A}", f"https://open.spotify.com/artist/{A}?si=abc"])
def test_a_table_without_a_heading_is_read_by_its_ids(mark, wanted):
    text = f'{wanted}{mark}Someone\n{B}{mark}"Earth, Wind & Fire"\nTyler, The Creator\n'
    entries = list(parse(io.BytesIO(text.encode()), "list.csv"))
    assert entries == [Entry(A, "Someone", 1), Entry(B, "Earth, Wind & Fire", 2), Entry(None, "Tyler, The Creator", 3)]


def test_an_id_is_found_wherever_it_stands_in_a_row_and_names_nobody_falsely():
    text = f"Someone,{A}\n{B},Someone Else,rock,2024\n{A}, {B}\n"
    entries = list(parse(io.BytesIO(text.encode()), "list.csv"))
    assert entries == [Entry(A, "Someone", 1), Entry(B, None, 2), Entry(A, None, 3), Entry(B, None, 3)]


def test_duplicates_are_counted():
    entries = unique(parse(io.BytesIO(f"{A}\nBjörk\n{A}\nBJÖRK\n  björk\n".encode()), "x"))
    assert [entry.id or entry.name for entry in entries.artists] == [A, "Björk"]
    assert entries.duplicates == 3


def test_an_empty_file_is_an_empty_list():
    assert read("") == []
    assert read("\n# nothing\n") == []
    assert read("a") == ["a"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (f"{A}\nspotify:artist:short\n", "list.txt, line 2: .*22 letters and digits"),
        (f"# c\n\n{A}\nspotify:album:{B}", "list.txt, line 4: .*a Spotify album, not an artist"),
        (f"{A}\n{B[:-1]}\n", "list.txt, line 2: .*looks like a damaged ID"),
        (f"name,id\nx,{A}\ny,123\n", "list.txt, line 3: '123' is not an artist's ID, URI or link"),
        (f"{A},x\n{B[:-1]},y\n", "list.txt, line 2: .*looks like a damaged ID"),
        (f"{A},Song,{B}\n", "list.txt, line 1: several IDs .* begin the file with a heading"),
        (f"{A},x\nspotify:album:{B},y\n", "list.txt, line 2: .*a Spotify album, not an artist"),
        ("https://example.org/artist\n", "list.txt, line 1: .*not an open.spotify.com link"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "list.txt, line 1: not in UTF-8|this is not text"),
        (b"abc\x00def", "line 1: this is not text"),
        (b"\xff\xfe\x00\xd8", "this is not text"),
        (b"ok\nBj\xf6rk\n", "line 2: not in UTF-8"),
        ("x" * 200_000, "line 1: this is not text"),
        ("x" * 301, "line 1: .*too long for a name"),
        ('artist\n"' + "x" * 140_000 + '"\n', "list.txt, line 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(data, sentence):
    with pytest.raises(UsageError, match=sentence) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_a_folder(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_files([str(tmp_path / "none")])
    with pytest.raises(UsageError, match="is a folder"):
        read_files([str(tmp_path)])


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(UsageError):
        read_files([str(path)])
    line = (A + "\n").encode()
    path.write_bytes(line * (LARGEST // len(line) + 2))
    with pytest.raises(UsageError, match="larger than 20 MB"):
        read_files([str(path)])


def test_words_of_the_command_line():
    assert [e.id or e.name for e in from_words([A, "Björk ", " "]).artists] == [A, "Björk"]
    with pytest.raises(UsageError, match="not an artist"):
        from_words([f"spotify:track:{A}"])


MARKS = [b"\n", b"\r", b",", b'"', b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"#", "ö".encode()]
WORDS = [b"id", b"artist", b"spotify:", b"spotify:artist:", b"https://open.spotify.com/", A.encode()]
pieces = st.sampled_from(MARKS + WORDS)


@given(st.binary(max_size=200) | st.lists(pieces, max_size=30).map(b"".join))
def test_no_bytes_crash(data):
    with contextlib.suppress(UsageError):
        for entry in parse(io.BytesIO(data), "x"):
            assert entry.id or entry.name


@given(
    st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), max_size=20),
    st.sampled_from("\n\r"),
)
def test_every_name_of_a_plain_list_is_read(names, end):
    names = [name for name in names if not _special(name)]
    text = "# a list" + end + end.join(names)
    assert [entry.name for entry in parse(io.BytesIO(text.encode()), "x")] == names


def _special(name):
    return name.casefold() in {*EXACT, *NAMED} or DAMAGED_ID.fullmatch(name)
