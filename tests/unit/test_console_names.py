"""What customers are called who have not told their name."""

from agent_console.rows import named


def test_who_has_no_name_is_called_by_their_number_or_address() -> None:
    assert named("Li Wei", "c_0123abcd", "+14155550100") == "Li Wei"
    assert named("", "c_0123abcd", "v_visitor", "+14155550100", "li@example.test") == "+14155550100"
    assert named("", "c_0123abcd", "li@example.test") == "li@example.test"
    assert named("", "c_0123abcd", "v_visitor") == "Visitor ABCD"
