module detente.example/interop/go-vectors

go 1.27
