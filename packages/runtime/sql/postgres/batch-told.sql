update :"schema".batches set told = true where run = $1::uuid and round = $2::int4 and status in ('halted', 'ended')
