"""From pixels to measured cells. Knows no model."""
