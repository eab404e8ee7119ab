module detente/interop/go-reader

go 1.27
