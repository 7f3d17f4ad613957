module github.com/countersign-auth/countersign/test/sdk/go

go 1.26.4
