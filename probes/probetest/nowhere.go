package probetest

// Nowhere is an address of this machine where nothing listens. A port that was
// listened on and closed is soon another program's; this one is given to nobody who
// does not ask for it.
const Nowhere = "127.0.0.1:1"
