-- Until the end of the transaction nobody else begins runs of this queue. No row: somebody does so now, or it has none yet.
select next_key from :"schema".queues where queue = $1 for update skip locked
