package trust_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/trust"
)

func TestParseObject(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`{}`, ` { } `, `{"":""}`, `{"a":[]}`, `{"a":[ ]}`, `{"a":[1 , 2]}`, `{"a":{"b":{}}}`,
		`{"n":[0,-0,1,-1,10,0.5,1e5,1E+5,1e-5,1.5e10,123456789012345678901234567890]}`,
		`{"s":["","\"\\\/\b\f\n\r\t","\u0041\u00e9\u20AC\uD83D\uDE00","é€😀","\u0000","\ufffd","a\u0041b"]}`,
		`{"l":[true,false,null]}`, `{"\u0061":1,"A":2}`, "{\"\u2028\":\"\x7f\"}",
	} {
		var want map[string]any
		decoder := json.NewDecoder(strings.NewReader(good))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("%s: %v", good, err)
		}
		got, err := trust.ParseObject(good)
		if err != nil {
			t.Errorf("parseObject(%s): %v", good, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parseObject(%s) (-want +got)\n%s", good, diff)
		}
	}
	for _, bad := range []string{
		``, ` `, `null`, `1`, `"a"`, `[]`, `{`, `}`, `{]`, `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`,
		`{"a":1}}`, `{"a":1}{}`, `{"a":1} x`, `{"a":1}` + "\x00", "\x00{}", "\ufeff{}", "\v{}", "\u00a0{}", `{/**/}`,
		`{"n":01}`, `{"n":-}`, `{"n":+1}`, `{"n":.5}`, `{"n":1.}`, `{"n":1e}`, `{"n":1e+}`, `{"n":0x1}`, `{"n":1_0}`, `{"n":NaN}`, `{"n":Infinity}`, `{"n":--1}`, `{"n":00}`,
		`{"l":True}`, `{"l":tru}`, `{"l":nul}`, `{"l":truefalse}`,
		`{"s":"` + "\n" + `"}`, `{"s":"` + "\x1f" + `"}`, `{"s":"a\` + "\x01" + `"}`, `{"s":"\x41"}`, `{"s":"\u12"}`, `{"s":"\u12g4"}`, `{"s":"\u+123"}`, `{"s":"\u1_23"}`, `{"s":"\U0041"}`, `{"s":"\`, `{"s":"\u`, `{"s":"\"}`, `{"s":"\'"}`,
		`{"s":"\ud800"}`, `{"s":"\ud800x"}`, `{"s":"\ud800\n"}`, `{"s":"\ud800\u0041"}`, `{"s":"\ud800\ud800"}`, `{"s":"\udfff"}`, `{"s":"\ud83d\ude0"}`,
		"{\"s\":\"\x80\"}", "{\"s\":\"\\n\xff\"}", "{\"s\":\"\xf4\x90\x80\x80\"}", "{\"\xff\":1}",
		`{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":[}`, `{"a":[`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `{"é":1,"\u00e9":1}`, `{"":1,"":1}`, `{"a":[{"b":1,"b":2}]}`,
	} {
		if got, err := trust.ParseObject(bad); err == nil {
			t.Errorf("parseObject(%q) = %v, want an error", bad, got)
		}
	}
}
