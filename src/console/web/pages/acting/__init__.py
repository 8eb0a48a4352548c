"""The pages to act: one address for each command, `/accounts/ACCOUNT/acts/COMMAND`.

`COMMAND` is a command's name in the contract, as `ReturnInstance`. Other pages link to
`/accounts/ACCOUNT/acts/COMMAND?thing=ID`, with the id of the instance, purchase, reservation or
refund; without `thing` the page lists those to choose from. Any field of the command may be in the
query and is then filled in, as `?thing=r-1&quantity=2`.

The steps of an act, each with its own address or form:

1. `GET ?thing=ID`: details, rules, fields; the person reads and agrees.
2. An act that is quoted first: `POST step=quote` gives the quote command, and leads to
   `GET ?quote=COMMAND_ID`, the list with amounts. Another act: `POST step=review` shows what is
   about to be given.
3. A return, a refund and a downgrade: `GET ?quote=COMMAND_ID&step=confirm` asks once more.
4. `POST step=act` gives the command and leads to `GET ?done=COMMAND_ID`, its outcome and progress.

A command's id is made from the form that the person was shown and from what is in it, so that a
double click, a reload or an answer that was lost gives one command. `was` names the quote that a
new one replaces, `agreed=yes` says that the rules were read, `as=ROLE:ID` for whom an operator
acts.
No step needs a script.
"""
