/* A tracker: what moves, by what has changed since the frame before. */
#include <stdlib.h>
#include <string.h>
#include "som_plugin.h"

/* One video: the frame before. */
typedef struct video {
  uint32_t width, height;
  uint8_t *pixels;
} video;

static som_status create(const som_call *options, void **instance) {
  (void)options;
  *instance = calloc(1, sizeof(video));
  return *instance ? SOM_OK : options->fail(options, SOM_EXHAUSTED, "no memory for a video");
}

static void destroy(void *instance) {
  video *it = instance;
  if (it) free(it->pixels);
  free(it);
}

/* Sets the pixels that differ by more than `least` in some channel; returns how many do. */
static size_t differences(const uint8_t *a, const uint8_t *b, size_t count, int least,
                          uint8_t *mask) {
  size_t i, channel, set = 0;
  for (i = 0; i < count; i++) {
    int most = 0;
    for (channel = 3 * i; channel < 3 * i + 3; channel++) {
      int difference = abs((int)a[channel] - (int)b[channel]);
      if (difference > most) most = difference;
    }
    mask[i] = most > least;
    set += mask[i];
  }
  return set;
}

static som_status frame(void *instance, const som_call *call, const som_frame *frame) {
  video *it = instance;
  const som_image *image = frame->image;
  size_t count = (size_t)image->width * image->height;
  int least = (int)call->number(call, "least", 24);
  som_status status = SOM_OK;
  if (it->pixels && (it->width != image->width || it->height != image->height))
    return call->fail(call, SOM_INVALID, "the frame has another size than the video's first");
  if (call->cancelled(call)) return SOM_CANCELLED; /* Nothing has changed so far. */
  if (!it->pixels) {
    it->pixels = malloc(3 * count);
    if (!it->pixels) return call->fail(call, SOM_EXHAUSTED, "no memory for a frame");
    it->width = image->width;
    it->height = image->height;
  } else {
    uint8_t *mask = malloc(count);
    if (!mask) return call->fail(call, SOM_EXHAUSTED, "no memory for a mask");
    if (differences(it->pixels, image->pixels, count, least, mask) > 0) {
      som_region region = {0};
      region.size = sizeof region;
      region.width = image->width; /* The box is the whole frame; the host tightens it. */
      region.height = image->height;
      region.score = -1;
      region.mask = mask;
      region.label = "moving";
      region.object = 1; /* All that moves is one object here. */
      status = call->emit(call, &region);
    }
    free(mask);
  }
  if (status == SOM_OK) memcpy(it->pixels, image->pixels, 3 * count);
  return status;
}

static const som_tracker motion = {
    sizeof(som_tracker),
    "motion",
    "0.1.0",
    "What moves, by what has changed since the frame before",
    "{\"capabilities\": [\"automatic\", \"labels\"],"
    " \"params\": {\"type\": \"object\", \"properties\": {\"least\":"
    "   {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 254, \"default\": 24,"
    "    \"description\": \"By how much a channel has to change\"}}}}",
    create,
    frame,
    destroy,
};

static const som_tracker *const trackers[] = {&motion, NULL};
static const som_plugin plugin = {sizeof(som_plugin), NULL, NULL, trackers};

const som_plugin *som_plugin_entry_v1(const som_host *host) {
  host->log(host, 4, "the plugin is there");
  return &plugin;
}
