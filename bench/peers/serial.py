"""What the recipe starts from: five whole ResNet-18s one after the other, eager, on each batch."""

import common

args = common.arguments(__doc__)
common.run_with_loader(args, common.Predictor(args, common.SerialModels, engine="eager"))
