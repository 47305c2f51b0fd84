"""leukoscope: cells, splits that do not leak, and figures one can defend. Research use only."""
