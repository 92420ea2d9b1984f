"""The recipe's shared base, frozen by TorchScript and through optimize_for_inference, with a DataLoader."""

import common

args = common.arguments(__doc__)
common.run_with_loader(args, common.Predictor(args, engine="frozen"))
