/// The version of roc, which also stands for that of the arithmetic in every stored run.
package let rocVersion = "0.4.0"
