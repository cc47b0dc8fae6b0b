/* A mark style: darkens what lies outside of all marked regions. */
#include <stdlib.h>
#include "som_plugin.h"

/* Sets the pixels of a region in `inside`, which has a byte for each pixel of the canvas. */
static void add_region(uint8_t *inside, uint32_t canvas_width, const som_region *region) {
  uint32_t x, y;
  for (y = 0; y < region->height; y++) {
    uint8_t *row = inside + (size_t)(region->y + y) * canvas_width + region->x;
    for (x = 0; x < region->width; x++) {
      if (!region->mask || region->mask[(size_t)y * region->width + x]) row[x] = 1;
    }
  }
}

static som_status draw(const som_call *call, const som_canvas *canvas,
                       const som_mark *const *marks, size_t mark_count) {
  double strength = call->number(call, "strength", 0.5);
  size_t count = (size_t)canvas->width * canvas->height, i;
  uint8_t *inside;
  if (mark_count == 0) return SOM_OK;
  inside = calloc(count, 1);
  if (!inside) return call->fail(call, SOM_EXHAUSTED, "no memory for a mask");
  for (i = 0; i < mark_count && !call->cancelled(call); i++) {
    add_region(inside, canvas->width, marks[i]->region);
  }
  for (i = 0; i < 3 * count; i++) {
    if (!inside[i / 3]) canvas->pixels[i] = (uint8_t)(canvas->pixels[i] * (1 - strength));
  }
  free(inside);
  return call->cancelled(call) ? SOM_CANCELLED : SOM_OK;
}

static const som_mark_style spotlight = {
    sizeof(som_mark_style),
    "spotlight",
    "0.1.0",
    "Darkens what lies outside of all marked regions",
    "{\"params\": {\"type\": \"object\", \"properties\": {\"strength\":"
    "  {\"type\": \"number\", \"minimum\": 0, \"maximum\": 1, \"default\": 0.5,"
    "   \"description\": \"From 0, not at all, to 1, black\"}}}}",
    NULL, /* This style writes no labels, */
    NULL, /* so it measures none either. */
    draw,
    0, /* It looks at masks. */
};

static const som_mark_style *const mark_styles[] = {&spotlight, NULL};
static const som_plugin plugin = {sizeof(som_plugin), NULL, mark_styles, NULL};

const som_plugin *som_plugin_entry_v1(const som_host *host) {
  host->log(host, 4, "the plugin is there");
  return &plugin;
}
