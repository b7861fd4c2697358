update :"schema".batch_chunks set under_way = $4
where run = $1::uuid and n = $2::int4 and fence = $3::int4 and owner is not null
returning n
