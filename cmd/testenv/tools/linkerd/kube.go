package main

import (
	"github.com/linkerd/linkerd2/controller/k8s"
	pkgk8s "github.com/linkerd/linkerd2/pkg/k8s"
	batchv1beta1 "k8s.io/client-go/kubernetes/typed/batch/v1beta1"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/clientcmd"
)

// connect follows what the project's command follows.
func connect(kubeconfig string) (*k8s.API, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := pkgk8s.NewAPIForConfig(config, "", nil, 0)
	if err != nil {
		return nil, err
	}
	profiles, err := k8s.NewSpClientSet(config)
	if err != nil {
		return nil, err
	}
	splits, err := k8s.NewTsClientSet(config)
	if err != nil {
		return nil, err
	}
	return k8s.NewAPI(withoutCronJobs{client, fake.NewSimpleClientset()}, profiles, splits,
		k8s.CJ, k8s.DS, k8s.Deploy, k8s.Job, k8s.NS, k8s.Pod, k8s.RC, k8s.RS, k8s.Svc, k8s.SS, k8s.SP, k8s.TS), nil
}

// withoutCronJobs has none of them: this Linkerd asks for them by a version of the
// API that Kubernetes removed in 1.25, and would wait for an answer for ever.
type withoutCronJobs struct {
	kubernetes.Interface
	none kubernetes.Interface
}

func (c withoutCronJobs) BatchV1beta1() batchv1beta1.BatchV1beta1Interface {
	return c.none.BatchV1beta1()
}
