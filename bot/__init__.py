"""kubewhy: answers "why is it broken?" for Kubernetes clusters, with proof."""
