/* Plots of runs, drawn by gnuplot.
 *
 * Every plot is a gnuplot script NAME.gp with its data NAME.dat, made so that a paper can
 * restyle it; gnuplot makes NAME.svg and NAME.pdf of it, all in one folder. For the report it
 * also draws each without title and key, wide and narrow; these are handed over as text, to be
 * put into HTML as they are: a title that came from a scenario is quoted for gnuplot, and
 * gnuplot escapes it.
 *
 * Colours are of `set colorsequence podo`, told apart by dashes and shapes in grey as well;
 * background and ink are left to the page.
 */
#ifndef PARTYLINE_ANALYSIS_PLOT_H
#define PARTYLINE_ANALYSIS_PLOT_H

#include "analysis/series.h"

enum { PLOT_CURVES = 6, PLOT_POINTS = 36, PLOT_NODES = 40 };

enum plot_kind { PLOT_PERCENTILES, PLOT_CDF, PLOT_SCATTER, PLOT_HEAT };

struct plot {
    enum plot_kind kind;
    char name[64], title[160];
    char caption[1024];          /* plain text */
    const struct series **shown; /* curve i is shown[i] */
    size_t n_shown;
    char *settings, *command; /* gnuplot's, without terminal and output */
    unsigned width, height, narrow_height;
    char *wide, *narrow; /* SVG */
};

struct plots {
    char dir[PATH_MAX];
    struct plot *list;
    size_t n;
};

/* Makes the folder and all plots of the set. Errors: ERR_ABSENT (there is no gnuplot: the
 * sentence says how to get it), ERR_FAULT (gnuplot failed or did not end in time), ERR_IO,
 * ERR_NOMEM. On an error there are no plots. The set must outlive them. */
int plots_make(const struct series_set *, const char *dir, struct plots *, struct err *);
void plots_free(struct plots *);

/* How curve or point i is drawn, for a legend. */
const char *plot_colour(size_t i);
const char *plot_dashes(size_t i); /* "8,4", "" for solid: in multiples of a pixel */
unsigned plot_shape(size_t i);     /* 0 circle, 1 square, 2 triangle, 3 the same downwards, 4
                                      diamond, 5 pentagon */

/* ---- for those who make plots --------------------------------------------------------- */

/* A further plot, or NULL without memory; name becomes a file's name. */
struct plot *plots_add(struct plots *, enum plot_kind, const char *name);
/* A text as a gnuplot string, cut to `width` characters (0: not cut). */
void plot_quote(FILE *, const char *text, size_t width);
/* The data beside the script. */
FILE *plot_data(const struct plots *, const struct plot *, struct err *);
int plot_data_end(FILE *, const struct plot *, struct err *);

struct plot_unit {
    const char *name;
    int64_t ns;
};
/* The unit in which a largest value is told. */
struct plot_unit plot_unit_of(int64_t max_ns);
void plot_value(FILE *, int64_t ns, struct plot_unit);

int plot_latency(const struct series_set *, struct plots *, struct err *);
int plot_privacy(const struct series_set *, struct plots *, struct err *);
int plot_tradeoff(const struct series_set *, struct plots *, struct err *);
int plot_exposure(const struct series_set *, struct plots *, struct err *);

#endif
