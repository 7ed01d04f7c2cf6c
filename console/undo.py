"""Undo: reads a gesture's entries backwards and puts back what still stands as the gesture left it."""

import json
from collections import defaultdict
from dataclasses import dataclass

from django.apps import apps
from django.db import transaction

from console import flags
from console.ledger import (
    UNDO,
    Act,
    Conflict,
    Origin,
    describe,
    dumped,
    locked,
    open_gesture,
    some,
    targets_of,
    update_rows,
)
from console.models import Entry, Gesture
from console.values import decode, erased_among, pointer


@dataclass
class Undone:
    """What an undo did: rows that are back, and sentences about those that were left as they are."""

    gesture: Gesture
    restored: list
    moved_on: list[str]
    replayed: bool = False


def undo(gesture, *, by, key=None, origin=None, seen=0):
    """Puts back exactly the fields the gesture changed, where they still hold the value it gave them.

    `seen` is how often the person saw it undone, the version of a gesture: 0, since that can happen only once.
    Returns Undone; raises Conflict when it was undone already, is final or nothing is left that could go back,
    KeyReused when the key was used for something else.
    """
    if why := why_final(gesture):
        raise Conflict(why)
    if by is not None and not _works_while_frozen(gesture) and flags.is_flipped(flags.FREEZE_CONSOLE):
        raise Conflict(flags.FROZEN)
    with transaction.atomic():
        act_gesture, fresh = open_gesture(UNDO, by, key, [str(gesture.pk), seen], undoes=gesture)
        if not fresh:
            return Undone(act_gesture, targets_of(act_gesture), [], replayed=True)
        act = Act(act_gesture, by, origin=origin or Origin())
        result = Undone(act_gesture, [], [])
        by_type = defaultdict(dict)
        for entry in gesture.entries.order_by("id"):
            by_type[entry.target_type][entry.target_id] = entry
        for label, entries in by_type.items():
            getattr(apps.get_model(label), "lock_above", lambda pks: None)(list(entries))
        for label, entries in by_type.items():  # in the gesture's own order, so that locks are taken as verbs do
            _restore(apps.get_model(label), entries, act, result)
        if not result.restored:
            raise Conflict("Nothing could be undone: " + (some(result.moved_on) or "all is as it was before."))
    return result


def _restore(model, entries, act, result):
    """Locks the rows in order, sorts out what moved on, and writes each group of equal values by one UPDATE.

    A row may refuse values that would break a rule which verbs keep: `hinders(values as encoded, by)` says what is
    against them, or "". It may also say that a value which changed since stands for the one it was given:
    `still_is(name, value now, value then)`.
    """
    # locked before anything else is read: what others decided until then must be seen
    rows = list(locked(model._base_manager.all(), model).filter(pk__in=entries).order_by("pk"))
    groups, changes, touched = defaultdict(list), [], []
    later = _changed_later(model, entries)
    erased = erased_among(value for entry in entries.values() for value in entry.before.values())
    for row in rows:
        entry = entries.pop(row.pk)
        if not entry.after:
            touched.append((row, entry.pk))
            continue
        now = act.encoded(row, entry.after)
        still = getattr(row, "still_is", lambda name, now, then: False)
        stands = [n for n in entry.after if now[n] == entry.after[n] or still(n, now[n], entry.after[n])]
        back = {name: entry.before[name] for name in stands}
        back = {
            name: value for name, value in back.items() if name not in later[row.pk] and pointer(value) not in erased
        }
        against = back and getattr(row, "hinders", lambda values, by: "")(back, act.by)
        if against:
            result.moved_on.append(f"{describe(row)} stays as it is: {against}.")
            continue
        kept = [name for name in entry.after if name not in back and now[name] != entry.before[name]]
        if kept:
            names = ", ".join(model._meta.get_field(name).verbose_name for name in kept)
            result.moved_on.append(f"{describe(row)} has changed since ({names}) and stays as it is.")
        if back:
            groups[dumped(back)].append(row.pk)
            changes.append((row, {name: now[name] for name in back}, back, entry.pk))
    result.moved_on += [f"{model._meta.verbose_name} {pk} is gone." for pk in entries]
    for values, pks in groups.items():
        update_rows(model, pks, dict(decode(model, name, value) for name, value in json.loads(values).items()))
    for row, _, back, _ in changes:
        for name, value in back.items():
            setattr(row, *decode(model, name, value))
        row.version += 1
        result.restored.append(row)
    if changes:
        restored, befores, afters, undone = zip(*changes, strict=True)
        act.record(list(restored), befores, afters, list(undone))
    if touched:
        act.touch([row for row, _ in touched], [entry for _, entry in touched])


def _changed_later(model, entries):
    """`{target id: names of fields}` that a later gesture changed, which still stands: the same value by a newer
    decision is that decision's. A later change and its undo cancel out.
    """
    oldest = min(entry.pk for entry in entries.values())
    changed = defaultdict(set)
    newer = Entry.objects.filter(
        target_type=model._meta.label_lower, target_id__in=entries, pk__gt=oldest, undone_by=None
    )
    for entry in newer:
        mine = entries[entry.target_id].pk
        cancels = entry.undoes_id and entry.undoes_id > mine
        if entry.pk > mine and not cancels:
            changed[entry.target_id] |= set(entry.after)
    return changed


def why_final(gesture):
    """Why nobody can undo it, in a sentence; "" for most."""
    from console import verbs

    verb = verbs.get(gesture.verb)
    return verb.final if verb else ""


def _root_of(gesture):
    """What was done at first, before it was undone and that undone in turn."""
    while gesture.undoes_id:
        gesture = gesture.undoes
    return gesture


def _works_while_frozen(gesture):
    from console import verbs

    verb = verbs.get(_root_of(gesture).verb)
    return verb is not None and verb.while_frozen


def may_undo(user, gesture):
    """Oneself while one still holds the verb's permission, or whoever may undo others' gestures; of what the system
    found out by itself, and of verbs that are final, nobody.
    """
    from console import verbs

    root = _root_of(gesture)
    verb = verbs.get(root.verb)
    if why_final(root):
        return False
    if root.actor_id is None and verb and not verb.by_hand:
        return False  # what our own code found out is not a decision
    if verb and (verb.fresh or verb.guarded) and not user.has_perm(verb.permission):
        return False  # what is dangerous to do is dangerous to undo
    if user.has_perm("console.undo_gesture"):
        return True
    return gesture.actor_id == user.pk and verb is not None and user.has_perm(verb.permission)
