package main

// iscope is the first side of every row.
const iscope = "iscope"

// benchRows lists what is measured.
func benchRows() []benchRow {
	return []benchRow{
		kafkaRow("kafka-raw", "as they are", false,
			benchSide{args: tailTopic("--from", "beginning", "--until", "end", "-o", "raw"), read: readLines},
			benchSide{args: kcatTopic("-e", "-o", "beginning"), read: readLines}),
		kafkaRow("kafka-json", "as JSON lines", true,
			benchSide{args: tailTopic("--from", "beginning", "--until", "end", "-o", "json"), read: readIscope(true)},
			benchSide{args: kcatTopic("-e", "-o", "beginning", "-J"), read: readKcat}),
		interruptRow(),
		exchangeRow(),
		tapInterruptRow(),
		unaryRow(),
	}
}
