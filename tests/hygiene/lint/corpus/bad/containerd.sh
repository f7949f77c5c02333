ctr -n k8s.io images rm $(ctr -n k8s.io images ls -q)
