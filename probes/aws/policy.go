package aws

import (
	"encoding/json"
	"slices"
	"strings"
)

// sender is who a queue's policy allows to send to it.
type sender struct {
	arn       string // of the source, "" if the policy does not say
	principal string // "sns.amazonaws.com", an account, "*"
}

// oneOrMany reads what a policy writes either as text or as a list of texts.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

type statement struct {
	Effect    string
	Principal json.RawMessage
	Action    oneOrMany
	Condition map[string]map[string]oneOrMany
}

// senders reads the statements of a policy that allow sending. What it does not
// understand it leaves out: a policy grants, it does not prove that anyone sends.
func senders(policy string) []sender {
	var doc struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return nil
	}
	var list []statement
	if json.Unmarshal(doc.Statement, &list) != nil {
		var one statement
		if json.Unmarshal(doc.Statement, &one) != nil {
			return nil
		}
		list = []statement{one}
	}
	var out []sender
	for i := range list {
		if list[i].Effect == "Allow" && slices.ContainsFunc(list[i].Action, sends) {
			out = append(out, list[i].senders()...)
		}
	}
	return out
}

func sends(action string) bool {
	a := strings.ToLower(action)
	return a == "sqs:sendmessage" || a == "sqs:*" || a == "*" || a == "sqs:send*"
}

func (s *statement) senders() (out []sender) {
	names := s.principals()
	for _, c := range s.Condition {
		for key, values := range c {
			if !strings.EqualFold(key, "aws:SourceArn") {
				continue
			}
			for _, v := range values {
				out = append(out, sender{arn: v, principal: strings.Join(names, " ")})
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, n := range names {
		out = append(out, sender{principal: n})
	}
	return out
}

// principals: "*", or {"AWS": "123456789012"}, or {"Service": ["sns.amazonaws.com"]}.
func (s *statement) principals() []string {
	var all string
	if json.Unmarshal(s.Principal, &all) == nil {
		return []string{all}
	}
	var byKind map[string]oneOrMany
	if json.Unmarshal(s.Principal, &byKind) != nil {
		return nil
	}
	var names []string
	for _, list := range byKind {
		names = append(names, list...)
	}
	slices.Sort(names)
	return names
}

func (s sender) String() string {
	if s.arn != "" {
		return s.arn
	}
	return s.principal
}
