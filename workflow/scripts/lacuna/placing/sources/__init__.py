"""What reads come from, before they are aligned: germline, constant regions, contaminants."""
