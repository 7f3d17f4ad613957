module github.com/countersign-auth/countersign/tools

go 1.26.4
