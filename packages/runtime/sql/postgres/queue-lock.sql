-- Until the end of the transaction nobody else begins runs of this queue.
select next_key from :"schema".queues where queue = $1 for update
