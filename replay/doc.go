// Package replay stores observed traffic in capture files and sends it again.
//
// A capture file is an MCAP container (https://mcap.dev/spec) of profile
// "iscope": chunks of records, compressed with zstd and guarded by a CRC, one
// protobuf envelope (iscope.trace.v1.Record) whose descriptor is in the file,
// so that other tools read it too. Writer makes such files and never drops;
// Reader survives any damage to them and accounts for it.
//
// BuildPlan decides what of a capture would be sent where, without sending
// anything; Run sends it on an absolute schedule and accounts for every planned
// item: planned = sent + skipped + failed + not sent.
//
// The journey of a record, by file: writer.go takes it, envelope.go encodes it,
// chunk.go collects it; scan.go walks a file, resync.go finds the way back
// after damage, decode.go makes the record again; plan.go and select.go choose,
// guard.go refuses, run.go sends, lane.go keeps order, report.go accounts.
package replay
