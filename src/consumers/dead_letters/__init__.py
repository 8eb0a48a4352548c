"""Dead letters: records that cannot be read are stored, redriven or discarded."""
