module detente.example/interop/go-check

go 1.27
