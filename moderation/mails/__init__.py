"""Mail to players: what became of what they wrote, reported or made. Off unless PLAYER_MAIL says for whom.

`topics` hears of events that are due and notes whom they concern; `sending` is the job that writes to one player, by
what is true then; `drawing` makes the mail; `outcomes` is what there is to tell of comments, reports and bans.
"""
