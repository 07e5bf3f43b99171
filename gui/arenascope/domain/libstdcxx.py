"""Two habits of the GNU C++ library on which the order of equal tensors depends.

The arena planner collects the tensors of a node in a ``std::unordered_set<int>`` and sorts them with
``std::sort``, which is not stable. Both are deterministic and every runtime is linked with this library,
so the order of tensors that compare equal can be known (tflite-memory.md §2.3). Each step below is the
library's own; none may be "improved", or ties fall differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Buckets of a set that grows by one element at a time: the library's primes from twice the last.
_BUCKETS = (
    13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043,
    85229, 172933, 351061, 712697, 1447153, 2938679,
)  # fmt: skip

_THRESHOLD = 16  #: shorter ranges are left to the insertion sort


def set_order(numbers: Iterable[int]) -> list[int]:
    """The numbers, which are not negative, as a set iterates over them after they were put in one by one.

    The elements are one linked list in which those of a bucket stand together. The first of a bucket goes
    to the front of the list, the next ones to the front of their bucket. A set that is full moves its
    elements into more buckets in the order of that list.
    """
    waiting = list(dict.fromkeys(numbers))
    order: list[int] = []
    for buckets in _BUCKETS:
        taken = buckets - len(order)
        order = _listed([*order, *waiting[:taken]], buckets)
        waiting = waiting[taken:]
        if not waiting:
            break
    return order


def _listed(numbers: Sequence[int], buckets: int) -> list[int]:
    filled: dict[int, list[int]] = {}
    for number in numbers:
        filled.setdefault(number % buckets, []).append(number)
    return [number for bucket in reversed(filled.values()) for number in reversed(bucket)]


def sort_order(keys: Sequence[int]) -> list[int]:
    """Positions of ``keys`` in the order into which ``std::sort`` brings them: an introsort."""
    if len(set(keys)) == len(keys):  # without ties there is only one order
        return sorted(range(len(keys)), key=keys.__getitem__)
    order = list(range(len(keys)))
    _introsort(order, keys, 0, len(order), 2 * (len(order).bit_length() - 1))
    for at in range(1, min(len(order), _THRESHOLD)):
        if keys[order[at]] < keys[order[0]]:
            order.insert(0, order.pop(at))
        else:
            _sink(order, keys, at)
    for at in range(_THRESHOLD, len(order)):
        _sink(order, keys, at)
    return order


def _introsort(order: list[int], keys: Sequence[int], first: int, last: int, depth: int) -> None:
    while last - first > _THRESHOLD:
        if depth == 0:
            _heapsort(order, keys, first, last)
            return
        depth -= 1
        cut = _partition(order, keys, first, last)
        _introsort(order, keys, cut, last, depth)
        last = cut


def _partition(order: list[int], keys: Sequence[int], first: int, last: int) -> int:
    """Around the median of the second, the middle and the last, which is swapped to the front."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    key_a, key_b, key_c = keys[order[a]], keys[order[b]], keys[order[c]]
    if key_a < key_b:
        median = b if key_b < key_c else c if key_a < key_c else a
    else:
        median = a if key_a < key_c else c if key_b < key_c else b
    order[first], order[median] = order[median], order[first]
    pivot = keys[order[first]]
    low, high = first + 1, last
    while True:
        while keys[order[low]] < pivot:
            low += 1
        high -= 1
        while pivot < keys[order[high]]:
            high -= 1
        if low >= high:
            return low
        order[low], order[high] = order[high], order[low]
        low += 1


def _sink(order: list[int], keys: Sequence[int], at: int) -> None:
    """Moves an element down past all that are larger; something not larger stands before them."""
    moved = order[at]
    key = keys[moved]
    while key < keys[order[at - 1]]:
        order[at] = order[at - 1]
        at -= 1
    order[at] = moved


def _heapsort(order: list[int], keys: Sequence[int], first: int, last: int) -> None:
    """What introsort falls back to when its partitions are too uneven."""
    heap = order[first:last]
    for root in range(len(heap) // 2 - 1, -1, -1):
        _adjust(heap, keys, root, len(heap), heap[root])
    for end in range(len(heap) - 1, 0, -1):
        moved, heap[end] = heap[end], heap[0]
        _adjust(heap, keys, 0, end, moved)
    order[first:last] = heap


def _adjust(heap: list[int], keys: Sequence[int], hole: int, size: int, moved: int) -> None:
    """Lets the larger child rise into the hole down to a leaf, then ``moved`` rise from there."""
    top = hole
    while (child := 2 * hole + 2) < size:
        if keys[heap[child]] < keys[heap[child - 1]]:
            child -= 1
        heap[hole] = heap[child]
        hole = child
    if child == size:
        heap[hole] = heap[child - 1]
        hole = child - 1
    while hole > top and keys[heap[parent := (hole - 1) // 2]] < keys[moved]:
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = moved
