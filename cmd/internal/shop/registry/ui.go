package registry

import "slices"

// The two answers of Consul's web interface that discovery tools use to save
// requests. They are undocumented; shapes as Consul 1.22.5 gives them.

type uiNode struct {
	node
	PeerName string
	Services []service
	Checks   []check
}

type uiService struct {
	Kind                 string `json:",omitempty"`
	Name                 string
	Datacenter           string
	Tags                 []string
	Nodes                []string
	ExternalSources      []string
	InstanceCount        int
	ChecksPassing        int
	ChecksWarning        int
	ChecksCritical       int
	GatewayConfig        struct{}
	TransparentProxy     bool
	ConnectNative        bool
	ConnectedWithProxy   bool
	ConnectedWithGateway bool
}

func (r *Registry) uiNodes() []uiNode {
	return []uiNode{{
		node:     r.nodeEntry(),
		Services: r.found(func(*service) bool { return true }),
		Checks:   r.foundChecks(func(*check) bool { return true }),
	}}
}

func (r *Registry) uiServices() []uiService {
	list := []uiService{}
	names := r.names()
	for name, tags := range names {
		sum := uiService{Name: name, Datacenter: Datacenter, Tags: tags, Nodes: []string{r.node}}
		for _, e := range r.health(named(name), false) {
			sum.Kind = e.Service.Kind
			sum.InstanceCount++
			for _, c := range e.Checks {
				switch c.Status {
				case passing:
					sum.ChecksPassing++
				case warning:
					sum.ChecksWarning++
				default:
					sum.ChecksCritical++
				}
			}
		}
		sum.ConnectedWithProxy = len(r.found(meshed(name))) > 0
		list = append(list, sum)
	}
	slices.SortFunc(list, func(a, b uiService) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}
