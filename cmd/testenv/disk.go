package main

import "syscall"

// freeDisk is the room below dir for this user, in MB.
func freeDisk(dir string) (int, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int(uint64(st.Bavail) * uint64(st.Bsize) >> 20), nil
}
