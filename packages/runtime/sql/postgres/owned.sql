select id::text from :"schema".runs where owner = $1 order by id
