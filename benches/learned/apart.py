"""How far the results of two sides are apart."""


def compressed(rle):
    """Some fixtures have their runs as numbers."""
    from pycocotools import mask as coco

    return coco.frPyObjects(rle, *rle["size"]) if isinstance(rle["counts"], list) else rle


def iou(a, b):
    from pycocotools import mask as coco

    return float(coco.iou([compressed(a["segmentation"])], [compressed(b["segmentation"])], [0])[0][0])


def not_empty(results):
    """Those that have pixels: som leaves the others out."""
    from pycocotools import mask as coco

    return [it for it in results if coco.area(compressed(it["segmentation"])) > 0]


def score_gap(a, b):
    """The most by which two results' scores differ."""
    return max((abs(a["scores"][name] - b["scores"][name]) for name in a["scores"]), default=0.0)


def in_order(theirs, ours):
    """Pairs of results at the same place, where there are as many, else of those most alike."""
    if len(theirs) == len(ours):
        return list(zip(theirs, ours))
    return [(it, max(ours, key=lambda other: iou(it, other))) for it in theirs if ours]


def matched(theirs, ours):
    """Pairs of results that are of the same thing: random masks may all look alike, so that their scores
    tell them apart, where they have any."""
    left, pairs = {}, []
    for it in theirs:
        left.setdefault(it["what"], []).append(it)
    for it in ours:
        of_same = left.get(it["what"], [])
        if of_same:
            alike = score_gap if it["scores"] else lambda a, b: -iou(a, b)
            nearest = min(of_same, key=lambda other: alike(other, it))
            of_same.remove(nearest)
            pairs.append((nearest, it))
    return pairs


def summary(theirs, ours):
    """How many there are, and the worst of those that both found."""
    theirs = not_empty(theirs)
    pairs = matched(theirs, ours)
    worst = {"mask IoU": min((iou(*pair) for pair in pairs), default=1.0)}
    for name in theirs[0]["scores"] if theirs else []:
        worst[name] = max((abs(a["scores"][name] - b["scores"][name]) for a, b in pairs), default=0.0)
    return {"official": len(theirs), "som": len(ours), "both": len(pairs), **worst}
