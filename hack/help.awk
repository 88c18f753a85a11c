# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Prints the help of a Makefile: its targets ("target: … ## text") in their groups ("##@ group"), and its settings
# ("## NAME: text").

BEGIN {
	print "make TARGET [NAME=value …]"
}

/^##@ / {
	printf "\n%s\n", substr($0, 5)
	next
}

/^## [A-Z_]+: / {
	name = $2
	sub(/:$/, "", name)
	text = $0
	sub(/^## [A-Z_]+: /, "", text)
	settings = settings sprintf("  %-20s %s\n", name, text)
	next
}

/^[a-z][a-z-]*:.* ## / {
	name = $1
	sub(/:.*/, "", name)
	text = $0
	sub(/^.* ## /, "", text)
	printf "  %-20s %s\n", name, text
}

END {
	printf "\nSettings\n%s", settings
}
