module example.com/bench

go 1.25.0

tool golang.org/x/mod/gosumcheck

require golang.org/x/mod v0.40.0 // indirect
