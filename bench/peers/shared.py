"""The recipe: one shared base, five heads on its features, a DataLoader; eager."""

import common

args = common.arguments(__doc__)
common.run_with_loader(args, common.Predictor(args, engine="eager"))
