module detente/interop/go-vectors/tree

go 1.27
