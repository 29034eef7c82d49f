package rabbitmq

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The management API's objects, as far as they are used. Statistics are
// pointers: a fresh object has none yet, and absent is not zero.

type overview struct {
	Version      string `json:"rabbitmq_version"`
	Erlang       string `json:"erlang_version"`
	Cluster      string `json:"cluster_name"`
	Node         string `json:"node"`
	RatesMode    string `json:"rates_mode"` // "basic", "detailed", "none"
	ObjectTotals struct {
		Queues int `json:"queues"`
	} `json:"object_totals"`
	Listeners []struct {
		Node     string `json:"node"`
		Protocol string `json:"protocol"`
		Address  string `json:"ip_address"`
		Port     int    `json:"port"`
	} `json:"listeners"`
}

type node struct {
	Name         string   `json:"name"`
	Running      bool     `json:"running"`
	MemAlarm     bool     `json:"mem_alarm"`
	MemUsed      int64    `json:"mem_used"`
	MemLimit     int64    `json:"mem_limit"`
	DiskAlarm    bool     `json:"disk_free_alarm"`
	DiskFree     number   `json:"disk_free"`
	DiskLimit    number   `json:"disk_free_limit"`
	Partitions   []string `json:"partitions"`
	BeingDrained bool     `json:"being_drained"`
	FilesUsed    int64    `json:"fd_used"`
	FilesTotal   int64    `json:"fd_total"`
}

// number takes what is not always one: RabbitMQ sends words such as
// "disk_free_monitoring_disabled" for numbers it does not have.
type number int64

func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		f = -1
	}
	*n = number(f)
	return nil
}

type rate struct {
	Rate *float64 `json:"rate"`
}

type stats struct {
	Publish    rate `json:"publish_details"`
	PublishIn  rate `json:"publish_in_details"`
	PublishOut rate `json:"publish_out_details"`
	Deliver    rate `json:"deliver_get_details"`
	Ack        rate `json:"ack_details"`

	Published *int64 `json:"publish"`
	In        *int64 `json:"publish_in"`
	Delivered *int64 `json:"deliver_get"`
	Redeliver *int64 `json:"redeliver"`
}

// table is a JSON object, or one of the other things Erlang makes of an empty
// one.
type table map[string]any

func (t *table) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if json.Unmarshal(b, &m) == nil {
		*t = m
	}
	return nil
}

func (t table) text(name string) (string, bool) {
	s, ok := t[name].(string)
	return s, ok
}

func (t table) number(name string) (int64, bool) {
	f, ok := t[name].(float64)
	return int64(f), ok
}

type exchange struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Durable    bool   `json:"durable"`
	AutoDelete bool   `json:"auto_delete"`
	Internal   bool   `json:"internal"`
	Arguments  table  `json:"arguments"`
	Policy     string `json:"policy"`
	Stats      *stats `json:"message_stats"`

	Incoming []struct {
		Stats   stats `json:"stats"`
		Channel struct {
			Connection string `json:"connection_name"`
			Name       string `json:"name"`
		} `json:"channel_details"`
	} `json:"incoming"`
	Outgoing []struct {
		Stats stats `json:"stats"`
		Queue struct {
			Name string `json:"name"`
		} `json:"queue"`
	} `json:"outgoing"`
}

type queue struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Durable    bool     `json:"durable"`
	AutoDelete bool     `json:"auto_delete"`
	Exclusive  bool     `json:"exclusive"`
	Arguments  table    `json:"arguments"`
	Policy     string   `json:"policy"`
	Effective  table    `json:"effective_policy_definition"`
	State      string   `json:"state"`
	Node       string   `json:"node"`
	Leader     string   `json:"leader"`
	Members    []string `json:"members"`
	Online     []string `json:"online"`

	Messages  *int64 `json:"messages"`
	Ready     *int64 `json:"messages_ready"`
	Unacked   *int64 `json:"messages_unacknowledged"`
	Consumers *int64 `json:"consumers"`
	Growth    rate   `json:"messages_details"`
	Head      *int64 `json:"head_message_timestamp"`
	Stats     *stats `json:"message_stats"`
}

// setting is an argument of the queue or what a policy says in its place. Where
// both give a number, the smaller one counts
// (https://www.rabbitmq.com/docs/parameters#operator-policies).
func (q *queue) setting(name string) (text string, num int64, ok bool) {
	text, isText := q.Arguments.text("x-" + name)
	num, isNum := q.Arguments.number("x-" + name)
	if byPolicy, ok := q.Effective.number(name); ok && (!isNum || byPolicy < num) {
		num, isNum = byPolicy, true
	}
	if byPolicy, ok := q.Effective.text(name); ok && !isText {
		text, isText = byPolicy, true
	}
	return text, num, isText || isNum
}

func (q *queue) kind() string {
	if q.Type != "" {
		return q.Type
	}
	if t, ok := q.Arguments.text("x-queue-type"); ok {
		return t
	}
	return queueClassic
}

// Types of queues.
const (
	queueClassic = "classic"
	queueQuorum  = "quorum"
	queueStream  = "stream"
)

type binding struct {
	Source   string `json:"source"`
	Dest     string `json:"destination"`
	DestKind string `json:"destination_type"` // "queue" or "exchange"
	Key      string `json:"routing_key"`
	Args     table  `json:"arguments"`
}

type consumer struct {
	Tag      string `json:"consumer_tag"`
	Ack      bool   `json:"ack_required"`
	Active   *bool  `json:"active"`
	Prefetch int64  `json:"prefetch_count"`
	Queue    struct {
		Name string `json:"name"`
	} `json:"queue"`
	// Channel is an empty list where the API does not know it.
	Channel channelRef `json:"channel_details"`
}

type channelRef struct {
	Connection string `json:"connection_name"`
	Name       string `json:"name"`
	PeerHost   string `json:"peer_host"`
	User       string `json:"user"`
}

func (c *channelRef) UnmarshalJSON(b []byte) error {
	type plain channelRef
	var p plain
	if json.Unmarshal(b, &p) == nil {
		*c = channelRef(p)
	}
	return nil
}

type connection struct {
	Name       string `json:"name"`
	User       string `json:"user"`
	State      string `json:"state"`
	Protocol   string `json:"protocol"`
	PeerHost   string `json:"peer_host"`
	PeerPort   int    `json:"peer_port"`
	TLS        bool   `json:"ssl"`
	Properties table  `json:"client_properties"`
	Provided   string `json:"user_provided_name"`
}

// client is the name an application gave itself, or its user and host.
func (c *connection) client() string {
	if c.Provided != "" {
		return c.Provided
	}
	if n, ok := c.Properties.text("connection_name"); ok && n != "" {
		return n
	}
	return strings.TrimPrefix(c.User+"@"+c.PeerHost, "@")
}

type channel struct {
	Name       string     `json:"name"`
	Unacked    *int64     `json:"messages_unacknowledged"`
	Stats      *stats     `json:"message_stats"`
	Connection channelRef `json:"connection_details"`
}

type vhost struct {
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	DefaultType string   `json:"default_queue_type"`
	Tracing     bool     `json:"tracing"`
	State       table    `json:"cluster_state"` // by node
}

type policy struct {
	Name       string `json:"name"`
	Definition table  `json:"definition"`
}
