"""Drive a simulated phone as a hand would: by what is on the screen."""


def click(phone, **wanted):
    """Touch the middle of the element with this text, resource_id or content_desc."""
    node = phone.find(**wanted)
    assert node is not None, f"{wanted} is not on the screen: {words(phone)}"
    left, top, right, bottom = node.bounds
    phone.tap((left + right) // 2, (top + bottom) // 2)


def words(phone):
    """Return all texts and descriptions on the screen."""
    return [
        node.text or node.content_desc
        for root in phone.windows()
        for node in root.walk()
        if node.text or node.content_desc
    ]


def middle(phone, **wanted):
    """Return the middle of an element."""
    left, top, right, bottom = phone.find(**wanted).bounds
    return (left + right) // 2, (top + bottom) // 2
