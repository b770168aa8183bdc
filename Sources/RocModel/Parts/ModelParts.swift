package import RocImage
package import RocTensor
package import RocTokenizer

/// The parts of one loaded model.
package struct ModelParts: Sendable {
  package let vision: any VisionEncoder
  package let connector: any Connector
  package let language: any LanguageModel
  package let template: any PromptTemplate
  package let tokenizer: any Tokenizer
  /// What ends an answer; the first of them is what a taught answer ends with.
  package let endIDs: [Int]
  package let preprocessing: Preprocessing
  /// Rows that a picture takes in a prompt, at least.
  package let pictureRows: Int
  package let names: TensorNames
  /// What people call the network.
  package let backboneName: String
  /// The device that they are on.
  package let compute: Compute
  /// Nil for a model without score tokens.
  package var readout: ScoreReadout?
  /// The parameters that are trained, in the order of the network; none when scoring.
  package let trained: [TrainedTensor]
}
