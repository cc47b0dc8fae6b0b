/* A segmenter: what is bright, and what is dark. */
#include <stdlib.h>
#include "som_plugin.h"

static som_status create(const som_call *options, void **instance) {
  (void)options; /* Options such as a path of weights are read here. */
  *instance = NULL; /* Nothing to keep between calls. */
  return SOM_OK;
}

static void destroy(void *instance) { (void)instance; }

/* Emits the pixels whose brightness lies on one side of the threshold, if there are any. */
static som_status emit_side(const som_call *call, const som_image *image, double threshold,
                            int bright, uint8_t *mask) {
  size_t count = (size_t)image->width * image->height, i, set = 0;
  som_region region = {0};
  for (i = 0; i < count; i++) {
    const uint8_t *rgb = image->pixels + 3 * i;
    double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    mask[i] = (luma >= threshold) == bright;
    set += mask[i];
    if (i % image->width == 0 && call->cancelled(call)) return SOM_CANCELLED;
  }
  if (set == 0) return SOM_OK;
  region.size = sizeof region;
  region.width = image->width; /* The box is the whole image; the host tightens it. */
  region.height = image->height;
  region.score = -1;
  region.mask = mask;
  region.label = bright ? "bright" : "dark";
  return call->emit(call, &region);
}

static som_status segment(void *instance, const som_call *call, const som_image *image) {
  double threshold = call->number(call, "threshold", 128);
  uint8_t *mask = malloc((size_t)image->width * image->height);
  som_status status;
  (void)instance;
  if (!mask) return call->fail(call, SOM_EXHAUSTED, "no memory for a mask");
  status = emit_side(call, image, threshold, 1, mask);
  if (status == SOM_OK) status = emit_side(call, image, threshold, 0, mask);
  free(mask);
  return status;
}

static const som_segmenter brightness = {
    sizeof(som_segmenter),
    "brightness",
    "0.1.0",
    "Separates what is bright from what is dark",
    "{\"capabilities\": [\"automatic\", \"labels\"],"
    " \"params\": {\"type\": \"object\", \"properties\": {\"threshold\":"
    "   {\"type\": \"number\", \"minimum\": 0, \"maximum\": 255, \"default\": 128,"
    "    \"description\": \"The least brightness that counts as bright\"}}}}",
    create,
    segment,
    destroy,
};

static const som_segmenter *const segmenters[] = {&brightness, NULL};
static const som_plugin plugin = {sizeof(som_plugin), segmenters, NULL, NULL};

const som_plugin *som_plugin_entry_v1(const som_host *host) {
  host->log(host, 4, "the plugin is there");
  return &plugin;
}
