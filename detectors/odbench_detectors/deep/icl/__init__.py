"""ICL: internal contrastive learning."""
