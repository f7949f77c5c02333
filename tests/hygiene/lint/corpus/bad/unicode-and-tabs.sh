# Aufräumen – ältere Läufe
	docker	system	prune	-f	# räumt alles
