"""The figures: `python -m lab.bench` prints each as `name value unit goal ok`, with raw samples in bench-results/."""
