"""results.jsonl as text: how each step ended, what was not as expected, and speed as shares of the device's limit."""

from common import DRY, records

found = records()


def of(what):
    return [line for line in found if line.get("what") == what]


def show_steps():
    for line in found:
        if "what" not in line:
            print(f"{line['verdict']:10} {line['step']:32} {line['seconds']:4} s")
    for line in found:
        if line.get("ok") is False:
            print("NOT AS EXPECTED", {name: value for name, value in line.items() if name != "ok"})
    for line in of("skipped"):
        print(f"skipped: {line['step']}: {line['reason']}")


def share(rate, precision):
    """Text: the share of the device's limit that so many images per second need."""
    limits = {line["precision"]: line["tflops"] for line in of("limit")}
    flops = next((line["flops_per_image"] for line in of("network")), None)
    if flops is None or not limits.get(precision):
        return ""
    return f"{rate * flops / (limits[precision] * 1e12):7.1%} of the limit"


def show_speed():
    for line in of("limit"):
        print(f"limit, {line['precision']} matrices of {line['side']}: {line['tflops']} TFLOP/s")
    for line in of("polyhead"):
        print(f"polyhead, fp32, {line['cores']} cores: {line['images_per_second']:,} img/s, limited by {line['limited_by']}"
              f" {share(line['images_per_second'], 'fp32')}")
    for kind in ("loader", "forward"):
        for line in of(kind):
            if "impossible" in line:
                print(f"PyTorch {kind}, {line['precision']}: impossible here: {line['impossible']}")
                continue
            precision = "bf16" if line["precision"] == "compiled" else line["precision"]
            cores = f", {line['cores']} cores" if "cores" in line else ""
            print(f"PyTorch {kind}, {line['precision']}, batch {line['batch']}{cores}: {line['images_per_second']:,} img/s"
                  f" {share(line['images_per_second'], precision)}")


show_steps()
if DRY:
    print("a dry run on pretended GPUs: its speeds say nothing, and none is shown")
else:
    show_speed()
